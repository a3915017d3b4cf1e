"""The parts of `google.colab` that the course uses, for tests on other machines."""

import sys
import types

__all__ = ["FakeColab"]


class FakeColab:
    """Colab as a kernel sees it.

    Attributes
    ----------
    refusal
        The error with which Google Drive refuses; None if it opens.
    notebook
        The notebook in the browser; None if the browser does not answer.
    mounted, downloads
        The places at which Drive was opened; the files that the browser was offered.
    """

    def __init__(self, drive):
        self.drive = drive
        self.refusal = None
        self.notebook = None
        self.mounted, self.downloads = [], []

    def install(self, monkeypatch):
        """Let `google.colab` be imported, until the end of the test."""
        modules = {
            "google": types.ModuleType("google"),
            "google.colab": types.ModuleType("google.colab"),
        }
        modules["google.colab"].drive = types.SimpleNamespace(mount=self._mount)
        modules["google.colab"].files = types.SimpleNamespace(download=self.downloads.append)
        answer = types.SimpleNamespace(blocking_request=self._answer)
        modules["google.colab"]._message = answer
        for name, module in modules.items():
            monkeypatch.setitem(sys.modules, name, module)

    def _mount(self, place):
        print(f"Mounted at {place}")
        self.mounted.append(place)
        if self.refusal is not None:
            raise self.refusal
        (self.drive / "MyDrive").mkdir(parents=True, exist_ok=True)

    def _answer(self, request, request_body="", timeout_sec=5):
        assert request == "get_ipynb"
        return None if self.notebook is None else {"ipynb": self.notebook}
