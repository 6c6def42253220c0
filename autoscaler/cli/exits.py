"""Exit codes of the command line, and how a failure is told.

0  done
1  done, and the answer is no (`check` found problems)
2  the command line or its input cannot be used, or a worker process was lost: one line on stderr says what,
   where, what to do
130  interrupted
"""

from __future__ import annotations

OK = 0
FOUND_PROBLEMS = 1
UNUSABLE = 2
INTERRUPTED = 130
