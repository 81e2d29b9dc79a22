"""Whether Terraform has let go of a task definition, read from HCL: released, owned, or unknown."""

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from atlas_access.guards.terraform_ownership import Ownership, judge_directory, read_blocks

SERVICE, FAMILY = "askflorence-staging-app", "askflorence-staging-app"
OURS = "arn:aws:ecs:us-east-1:111111111111:task-definition/askflorence-staging-app:8"
IGNORES = "lifecycle {\n    ignore_changes = [desired_count, task_definition]\n  }"


def service(body: str, name: str = f'"{SERVICE}"') -> str:
    return f'resource "aws_ecs_service" "app" {{\n  name = {name}\n  {body}\n}}\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (service(IGNORES), "released"),
        (service("lifecycle { ignore_changes = all }"), "released"),
        (service(f'task_definition = "{OURS}"'), "released"),
        (service("task_definition = aws_ecs_task_definition.app.arn"), "owned"),
        (service("lifecycle { ignore_changes = [desired_count] }"), "owned"),
        (service("# lifecycle { ignore_changes = [task_definition] }"), "owned"),
        (service("/* lifecycle {\n ignore_changes = [task_definition] } */"), "owned"),
        (service("ignore_changes = [task_definition]"), "owned"),
        (service("x = 1", name='"${local.prefix}-app"'), "unknown"),
        (service(IGNORES, name="local.name"), "unknown"),
        (service("x = 1", name='"another"'), "unknown"),
        (service(IGNORES) + service("x = 1", name='"another"'), "released"),
        (service(IGNORES) + service("x = 1", name="var.name"), "unknown"),
        (f'resource "aws_ecs_task_definition" "app" {{ \n family = "{FAMILY}" \n}}', "unknown"),
        ('module "app" {\n source = "./app"\n}', "unknown"),
        ("", "unknown"),
        (service(IGNORES)[:-2], "unknown"),
        ('resource "a" "b" {\n x = "unclosed\n}', "unknown"),
        (service('note = "a } in ${jsonencode({ k = "v" })} text"\n  ' + IGNORES), "released"),
        (service("doc = <<EOT\n } lifecycle {\nEOT\n  " + IGNORES), "released"),
    ],
)
def test_the_answer_follows_from_the_blocks(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "ecs.tf").write_text(text)
    found = judge_directory(tmp_path, SERVICE, (FAMILY,), (OURS,))
    assert (expected, True) == (found.ownership.value, bool(found.why))


def test_an_owner_is_named_with_its_line_and_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text("# head\n\n" + service("x = 1"))
    found = judge_directory(tmp_path, SERVICE, (FAMILY,), ())
    assert found.why.startswith(
        "main.tf:3: aws_ecs_service.app sets the task definition of askflorence-staging-app"
    )
    assert "ignore_changes = [task_definition]" in found.why


def test_an_owner_in_any_file_below_counts(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text(service(IGNORES))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.tf").write_text(service("x = 1"))
    assert judge_directory(tmp_path, SERVICE, (FAMILY,), ()).ownership is Ownership.OWNED


@pytest.mark.parametrize("made", ["nothing", "directory", "json", "binary"])
def test_what_cannot_be_read_is_unknown(tmp_path: Path, made: str) -> None:
    if made == "json":
        (tmp_path / "a.tf").write_text(service(IGNORES))
        (tmp_path / "b.tf.json").write_text("{}")
    elif made == "binary":
        (tmp_path / "a.tf").write_bytes(b"\xff\xfe\x00")
    folder = tmp_path / "missing" if made == "directory" else tmp_path
    found = judge_directory(folder, SERVICE, (FAMILY,), ())
    assert found.ownership is Ownership.UNKNOWN
    assert "terraform-released" in found.why


@given(st.text(alphabet='resource"a{}[]#/*\n <-EOT$%\\=', max_size=80))
def test_no_text_breaks_the_parser_but_by_its_own_error(text: str) -> None:
    try:
        read_blocks(text, "x.tf")
    except ValueError:
        return
