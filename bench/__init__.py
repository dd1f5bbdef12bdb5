"""How fast the service is, beside what could be had at best and what is usual. `python -m bench --help` tells more."""
