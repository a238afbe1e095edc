"""What peers send: bodies like those that our daemon makes of `bench.daemon.moves`, and as long."""

FIRST = 1000
"""The seq of the first one."""

_BODY = (
    b'{"elapsedTime":0,"uuid":"147e7ccd-c17f-45b4-b5d4-bf14e9c0e244","seq":%d,"created":"2015-05-05T13:40:09",'
    b'"orderType":"ON_PREMISE","locationName":"2","state":"located","stateStarted":"2015-05-05T13:40:09",'
    b'"type":"ORDER_MODIFIED","name":"66","stateChanged":"2015-05-05T13:40:09","paged":false}\n'
)


def lines(first: int, count: int) -> bytes:
    """Return ``count`` bodies, a line each, of which the first is number ``first`` of all, from 0."""
    begin = FIRST + first
    return (_BODY * count) % tuple(range(begin, begin + count))
