from .observe import Setup as Setup, checks as checks
from .report import doctor_report as doctor_report
