"""Figures of the service in the text format of Prometheus."""

from __future__ import annotations

from fercli.serve.service import Service
from fercli.version import VERSION


def metrics(service: Service) -> str:
    """All figures; no name of a video or a person is among them."""
    lines = [
        "# HELP fercli_info The program.",
        "# TYPE fercli_info gauge",
        f'fercli_info{{version="{VERSION}"}} 1',
        "# HELP fercli_jobs Jobs in the table.",
        "# TYPE fercli_jobs gauge",
        *(f'fercli_jobs{{state="{state}"}} {count}' for state, count in service.jobs.counts().items()),
        "# HELP fercli_job_slots Jobs at once.",
        "# TYPE fercli_job_slots gauge",
        f"fercli_job_slots {service.slots}",
        "# HELP fercli_event_streams Open streams of events.",
        "# TYPE fercli_event_streams gauge",
        f"fercli_event_streams {service.hub.watchers}",
        "# HELP fercli_uploaded_bytes_total Bytes of uploaded videos.",
        "# TYPE fercli_uploaded_bytes_total counter",
        f"fercli_uploaded_bytes_total {service.uploaded_bytes}",
        "# HELP fercli_requests_total Requests by method and status.",
        "# TYPE fercli_requests_total counter",
        *(
            f'fercli_requests_total{{method="{method}",status="{status}"}} {count}'
            for (method, status), count in sorted(service.requests.items())
        ),
    ]
    return "\n".join(lines) + "\n"
