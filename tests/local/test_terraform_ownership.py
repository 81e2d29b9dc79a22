"""Whether Terraform has let go of a task definition, read from HCL: released, owned, or unknown."""

from pathlib import Path

import pytest

from atlas_access.base import Status
from atlas_access.guards.terraform_ownership import judge_directory

SERVICE, FAMILY = "askflorence-staging-app", "askflorence-staging-app"
OURS = "arn:aws:ecs:us-east-1:111111111111:task-definition/askflorence-staging-app:8"
IGNORES = "lifecycle {\n    ignore_changes = [desired_count, task_definition]\n  }"


def service(body: str, name: str = f'"{SERVICE}"') -> str:
    return f'resource "aws_ecs_service" "app" {{\n  name = {name}\n  {body}\n}}\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (service(IGNORES), "good"),
        (service("lifecycle { ignore_changes = all }"), "good"),
        (service(f'task_definition = "{OURS}"'), "good"),
        (service("task_definition = aws_ecs_task_definition.app.arn"), "bad"),
        (service("lifecycle { ignore_changes = [desired_count] }"), "bad"),
        (service("# lifecycle { ignore_changes = [task_definition] }"), "bad"),
        (service("/* lifecycle {\n ignore_changes = [task_definition] } */"), "bad"),
        (service("ignore_changes = [task_definition]"), "bad"),
        (service("x = 1", name='"${local.prefix}-app"'), "unknown"),
        (service(IGNORES, name="local.name"), "unknown"),
        (service("x = 1", name='"another"'), "unknown"),
        (service(IGNORES) + service("x = 1", name='"another"'), "good"),
        (service(IGNORES) + service("x = 1", name="var.name"), "unknown"),
        (f'resource "aws_ecs_task_definition" "app" {{ \n family = "{FAMILY}" \n}}', "unknown"),
        ('module "app" {\n source = "./app"\n}', "unknown"),
        ("", "unknown"),
        (service(IGNORES)[:-2], "unknown"),
        ('resource "a" "b" {\n x = "unclosed\n}', "unknown"),
        (service('note = "a } in ${jsonencode({ k = "v" })} text"\n  ' + IGNORES), "good"),
        (service("doc = <<EOT\n } lifecycle {\nEOT\n  " + IGNORES), "good"),
    ],
)
def test_the_answer_follows_from_the_blocks(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "ecs.tf").write_text(text)
    found = judge_directory(tmp_path, SERVICE, (OURS,))
    assert (expected, True) == (found.status.value, bool(found.message))


def test_an_owner_is_named_with_its_line_and_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text("# head\n\n" + service("x = 1"))
    found = judge_directory(tmp_path, SERVICE)
    assert found.text.startswith(
        "main.tf:3: aws_ecs_service.app sets the task definition of askflorence-staging-app"
    )
    assert "ignore_changes = [task_definition]" in found.remedy


def test_an_owner_in_any_file_below_counts(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text(service(IGNORES))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.tf").write_text(service("x = 1"))
    assert judge_directory(tmp_path, SERVICE).status is Status.BAD


@pytest.mark.parametrize("made", ["nothing", "directory", "broken", "binary"])
def test_what_cannot_be_read_is_unknown(tmp_path: Path, made: str) -> None:
    if made == "broken":
        (tmp_path / "a.tf").write_text(service(IGNORES))
        (tmp_path / "b.tf.json").write_text("{")
    elif made == "binary":
        (tmp_path / "a.tf").write_bytes(b"\xff\xfe\x00")
    folder = tmp_path / "missing" if made == "directory" else tmp_path
    found = judge_directory(folder, SERVICE)
    assert found.status is Status.UNKNOWN
    assert "terraform-released" in found.remedy
