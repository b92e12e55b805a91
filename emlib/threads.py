"""One thread for linear algebra while any fit runs: on matrices as small as EM's, threads cost more than they give."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

from threadpoolctl import OpenBLASController, ThreadpoolController

_lock, _users = Lock(), 0
_limit: Any = None
_pools = cache(ThreadpoolController)  # those of NumPy's and SciPy's linear algebra, looked up once


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit BLAS to one thread; the last of several users that overlap gives the others back."""
    global _users, _limit
    with _lock:
        if _users == 0:
            _limit = _pools().limit(limits=1, user_api="blas")  # from now on
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                # Since 3.8 threadpoolctl obeys only the thread that came first, and that may have been another one.
                clear = getattr(OpenBLASController, "clear_controlling_thread", lambda force: None)
                clear(force=True)
                _limit.restore_original_limits()
                clear(force=True)
