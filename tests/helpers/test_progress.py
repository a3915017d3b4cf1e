"""The progress bar leaves standard error to reports of problems."""

from helpers.progress import bar


def test_the_bar_writes_to_standard_output_only(capsys):
    with bar(total=2, desc="epoch 1/1", unit="step") as shown:
        shown.update(2)
    captured = capsys.readouterr()
    assert "epoch 1/1" in captured.out
    assert captured.err == ""
