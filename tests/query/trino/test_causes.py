"""What Trino's servers said of failures behind them, as they were seen, and what is made of it."""

from functools import reduce
from typing import Any

import pytest

from workbench.query.trino.causes import find_cause

AWS = "software.amazon.awssdk.core.exception.SdkClientException"
S3 = "software.amazon.awssdk.services.s3.model.S3Exception"
ICEBERG = "org.apache.iceberg.exceptions."
VIEW = ("io.trino.spi.TrinoException", "Failed to load view 'events'")


def chain(*causes: tuple[str, str]) -> Any:
    """Return a failure as the client protocol tells it, each cause inside the one before."""
    nothing: Any = None
    return reduce(lambda inner, cause: {"type": cause[0], "message": cause[1], "cause": inner}, causes[::-1], nothing)


@pytest.mark.parametrize(
    ("causes", "words", "is_away"),
    [
        (
            [
                VIEW,
                (f"{ICEBERG}RESTException", "Error occurred while processing GET request"),
                (
                    "org.apache.hc.client5.http.HttpHostConnectException",
                    "Connect to http://c:8181 failed: Connection refused",
                ),
            ],
            "its catalog at http://c:8181 cannot be reached or failed",
            True,
        ),
        (
            [VIEW, (f"{ICEBERG}ServiceFailureException", "Server error: refused")],
            "its catalog cannot be reached or failed",
            True,
        ),
        (
            [VIEW, (f"{ICEBERG}NotAuthorizedException", "Not authorized: refused")],
            "the catalog refuses the login that the server has for it",
            False,
        ),
        (
            [
                ("io.trino.spi.TrinoException", "Error processing metadata for table log.events"),
                ("java.io.UncheckedIOException", "Failed to open input stream for file: s3://lake/a.avro"),
                (
                    AWS,
                    "Unable to execute HTTP request: Connect to 127.0.0.1:9000 [/127.0.0.1] failed: Connection refused",
                ),
                ("java.net.ConnectException", "Connection refused"),
            ],
            "its object store at 127.0.0.1:9000 cannot be reached or failed",
            True,
        ),
        (
            [(S3, "The Access Key Id does not exist. (Service: S3, Status Code: 403, Request ID: 1)")],
            "the object store refuses the keys that the server has for it",
            False,
        ),
        ([(S3, "Slow down (Service: S3, Status Code: 503)")], "its object store cannot be reached or failed", True),
    ],
)
def test_the_part_behind_trino_is_found_in_the_causes(
    causes: list[tuple[str, str]], words: str, *, is_away: bool
) -> None:
    cause = find_cause(chain(*causes))
    assert cause is not None
    assert (cause.words, cause.is_away) == (words, is_away)


@pytest.mark.parametrize(
    "causes",
    [
        [],
        [("io.trino.spi.TrinoException", "Division by zero")],
        [(f"{ICEBERG}NoSuchTableException", "Table does not exist")],
        [(S3, "The specified key does not exist. (Service: S3, Status Code: 404)")],
    ],
)
def test_a_statement_or_a_file_at_fault_is_no_part_that_is_away(causes: list[tuple[str, str]]) -> None:
    assert find_cause(chain(*causes)) is None
