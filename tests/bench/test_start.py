"""What is told of how long a start takes."""

from bench.start import Start, section
from tests.bench import rst


def test_medians_are_told_and_the_worse_kind_counts() -> None:
    clean = [Start(0.5, 0.6), Start(0.7, 0.9), Start(9.0, 9.0)]
    killed = [Start(1.0, 2.5), Start(0.9, 1.5)]
    made = section(100_000, 100, clean, killed)
    assert made.title == "Start with 100 listeners and 100,000 changes"
    assert rst.rows(made.rst)[1:] == [["a clean stop", "0.70", "0.90"], ["kill -9", "0.95", "2.00"]]
    assert [(verdict.figure, verdict.holds) for verdict in made.verdicts] == [("2.00 s", False)]
