"""Where a release is found: its files on a server, its notebook in Colab."""

import pytest

from autograder.errors import UserError
from autograder.releasing.addresses import colab_address, colab_badge, file_address

ON_GITHUB = [
    "https://github.com/owner/course/tree/main/release",
    "https://github.com/owner/course/blob/main/release/",
    "https://raw.githubusercontent.com/owner/course/main/release",
]


def test_a_file_is_below_the_address_of_the_course() -> None:
    found = file_address("https://example.edu/course/", "pruning", "helpers-0.1+c1.whl")
    assert found == "https://example.edu/course/pruning/helpers-0.1%2Bc1.whl"


@pytest.mark.parametrize("releases", ON_GITHUB)
def test_files_on_github_are_downloaded_as_they_are(releases: str) -> None:
    found = file_address(releases, "pruning.zip")
    assert found == "https://raw.githubusercontent.com/owner/course/main/release/pruning.zip"


@pytest.mark.parametrize("releases", ON_GITHUB)
def test_colab_opens_a_notebook_on_github(releases: str) -> None:
    found = colab_address(releases, "pruning", "pruning.ipynb")
    assert found == (
        "https://colab.research.google.com/github/owner/course/blob/main/release/pruning/pruning.ipynb"
    )
    assert colab_badge(found) == (
        f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({found})"
    )


def test_a_branch_may_have_a_slash_in_its_name() -> None:
    releases = "https://github.com/owner/course/tree/term/autumn"
    assert file_address(releases, "a.zip").endswith("/owner/course/term/autumn/a.zip")


@pytest.mark.parametrize(
    "releases", ["https://example.edu/course", "https://owner.github.io/course"]
)
def test_colab_opens_no_notebook_of_another_server(releases: str) -> None:
    assert colab_address(releases, "pruning", "pruning.ipynb") is None


@pytest.mark.parametrize(
    "releases", ["https://github.com/owner/course", "https://github.com/owner"]
)
def test_a_page_of_github_that_shows_no_folder_is_refused(releases: str) -> None:
    with pytest.raises(UserError, match="tree/main/release"):
        file_address(releases, "pruning.zip")
