"""What every test shares: machines are noisy, so no test is judged by how long an example took."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
