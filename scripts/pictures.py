"""Take the screenshots of the guides again: ``python scripts/pictures.py COURSE``.

COURSE is the folder of a course in which the whole sample class of ``sparse_linear`` was graded and
reported, as docs/first-class.md does it with fewer samples. Chromium and Playwright are needed, as
for the tests.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from in_jupyterlab import BROWSER_OPTIONS, CHROMIUM, opened_notebook, running_lab  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
ASSIGNMENT = "sparse_linear"
STUDENT = "mistakes-1"
TRAINED = "lr_schedules"
TRAINING = 'model_medium, history_medium = train_briefly("rate_medium", 0.1, "constant")'
WRONG = '''def loss(X, y, w):
    """Return the sum of the squared residuals."""
    return np.abs(X @ w - y).sum()
'''


def save(image: bytes, name: str) -> None:
    """Write a screenshot; 128 colours are enough for it."""
    picture = Image.open(io.BytesIO(image)).convert("RGB").quantize(128)
    picture.save(PICTURES / f"{name}.png", optimize=True)


def pages(course: Path) -> None:
    """Take the pictures of the class report and of a feedback page."""
    feedback = course / "feedback" / STUDENT / ASSIGNMENT / f"{ASSIGNMENT}.html"
    report = course / "report" / f"{ASSIGNMENT}.html"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=BROWSER_OPTIONS)
        page = browser.new_page(viewport={"width": 1120, "height": 1130})
        page.goto(report.as_uri())
        save(page.screenshot(), "class-report")
        page.goto(feedback.as_uri())
        top = page.get_by_text("What went wrong, and why").bounding_box()["y"] - 20
        part = {"x": 0, "y": top, "width": 1120, "height": 660}
        save(page.screenshot(full_page=True, clip=part), "feedback")
        browser.close()


def notebook(course: Path) -> None:
    """Take the pictures of the notebook: a public check, and the scorecard."""
    release = course / "release" / ASSIGNMENT
    with tempfile.TemporaryDirectory() as temporary:
        folder, home, installed = (Path(temporary, name) for name in ("work", "home", "packages"))
        shutil.copytree(release, folder)
        home.mkdir()
        (wheel,) = release.glob("*.whl")
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(installed)
        source = folder / f"{ASSIGNMENT}.ipynb"
        with (
            running_lab(folder, home, PYTHONPATH=str(installed)) as lab,
            opened_notebook(lab, source, source.name) as opened,
        ):
            opened.page.set_viewport_size({"width": 1280, "height": 760})
            places = {cell.id: place for place, cell in enumerate(opened.cells)}
            answer, check = opened.place("update_loss_solution"), opened.place("update_loss_check")
            for place in range(answer):
                if opened.cells[place].cell_type == "code":
                    opened.run(place)
            opened.replace(answer, WRONG)
            opened.run(answer)
            opened.run(check)
            opened.cell(answer - 1).evaluate("cell => cell.scrollIntoView()")
            save(opened.page.screenshot(), "public-check")
            opened.page.keyboard.press("ControlOrMeta+s")
            opened.page.wait_for_timeout(2000)
            opened.run(places["scorecard"])
            opened.cell(places["scorecard"]).evaluate("cell => cell.scrollIntoView()")
            save(opened.page.screenshot(), "scorecard")
            opened.cell(check).locator(".cm-content").click()
            opened.page.keyboard.press("Escape")
            opened.page.keyboard.press("b")
            opened.replace(check + 1, 'checks.hint("loss")')
            opened.run(check + 1)
            part = opened.cell(check + 1)
            part.evaluate("cell => cell.scrollIntoView()")
            save(part.screenshot(), "hint")


def training() -> None:
    """Take the picture of a training's curves, in the notebook of `TRAINED`."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, home = Path(temporary, "work"), Path(temporary, "home")
        shutil.copytree(ROOT / "notebooks" / TRAINED, folder)
        home.mkdir()
        source = folder / f"{TRAINED}.ipynb"
        with (
            running_lab(folder, home, PYTHONPATH=str(ROOT)) as lab,
            opened_notebook(lab, source, source.name) as opened,
        ):
            opened.page.set_viewport_size({"width": 1280, "height": 900})
            train = opened.place_of("rate_medium_solution")
            for name in ("setup", "network", "train_functions"):
                opened.run(opened.place_of(name))
            opened.replace(train, TRAINING)
            opened.run(train)
            opened.cell(train).evaluate("cell => cell.scrollIntoView()")
            save(opened.cell(train).screenshot(), "live-curve")


if __name__ == "__main__":
    course = Path(sys.argv[1]).resolve()
    pages(course)
    notebook(course)
    training()
