"""The job that a line goes to: the one that is named, else the first that counts, else a new one."""

from app.core.database.types import now
from app.extensions import db
from app.models import Job, ServiceTicket
from app.models.job import MAX_JOBS, MAX_NAME
from app.problems import TooManyJobs
from app.rules.job_life import JobStatus, counted_status


def job_for_line(ticket: ServiceTicket, jobs: list[Job], job: Job | None = None) -> Job:
    """Return the job that a new line goes to; `jobs` are all of the ticket, and get the job that is made.

    Raises `JobLocked` if the named job is declined, `TooManyJobs`.
    """
    job = job or _first_that_counts(ticket, jobs)
    if job is None:
        return _make_job(ticket, jobs)
    job.require_changeable()
    return job


def _first_that_counts(ticket: ServiceTicket, jobs: list[Job]) -> Job | None:
    """Return the first job that counts.

    On a ticket that was a quote, and has no approved job, return the one that was made for an earlier line.
    """
    counted = [job for job in jobs if job.status is counted_status(ticket.status)]
    made = [job for job in jobs if ticket.is_quote and job.status is JobStatus.PROPOSED and job.name == _name(ticket)]
    return next(iter(counted or made), None)


def _make_job(ticket: ServiceTicket, jobs: list[Job]) -> Job:
    """Insert a job for lines that name none, called like the ticket."""
    is_proposed = ticket.is_quote
    job = Job(
        ticket_id=ticket.id,
        name=_name(ticket),
        status=JobStatus.PROPOSED if is_proposed else JobStatus.APPROVED,
        approved_at=None if is_proposed else now(),
    )
    insert_job(job, jobs)
    return job


def _name(ticket: ServiceTicket) -> str:
    """Return the first line of the description, shortened to the length of a name."""
    return ticket.description.strip().splitlines()[0][:MAX_NAME].rstrip()


def insert_job(job: Job, jobs: list[Job]) -> None:
    """Insert a job, and append it to the ticket's. Raises `TooManyJobs`."""
    if len(jobs) >= MAX_JOBS:
        raise TooManyJobs(f"A ticket has at most {MAX_JOBS} jobs.", most=MAX_JOBS)
    db.session.add(job)
    db.session.flush()  # its lines need its id
    jobs.append(job)
