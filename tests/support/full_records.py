"""Records in which every column of every table has a value."""

import json

FULL = {
    "session_id": "s-0",
    "user_id": "u-0",
    "activity_id": "numeracy",
    "num_attempted": 1,
    "num_questions": 1,
    "score": 1,
    "max_score": 2,
    "adjustment_points": -0.5,
    "score_after_adjustment": 0.5,
    "subscores": [],
    "session_duration": 3,
    "status": "Completed",
    "dt_started": "2026-03-02T08:00:00Z",
    "dt_saved": "2026-03-02T08:02:00Z",
    "dt_completed": "2026-03-02T08:03:00Z",
    "responses": [
        {
            "response_id": "r-0",
            "question_type": "longtextV2",
            "question_reference": "q-0",
            "item_reference": "i-0",
            "automarkable": False,
            "attempted": True,
            "score": 1,
            "max_score": 2,
            "adjustment_points": 0.25,
            "score_after_adjustment": 1.25,
            "dt_score_updated": "2026-03-02T08:01:00Z",
            "response": {
                "value": "<p>two words</p>",
                "type": "string",
                "apiVersion": "v2.160.0",
                "revision": 2,
                "wordCount": 2,
            },
            "manual_score": 1,
        }
    ],
    "items": [
        {
            "reference": "i-0",
            "time": 41,
            "response_ids": ["r-0"],
            "user_flagged": False,
            "scoring": {"score": 1, "max_score": 2, "type": "per-question"},
            "source": {"reference": "i-0", "organisation_id": 7, "item_pool_id": "pool-a"},
            "tags": {"topic": ["fractions"]},
        }
    ],
    "metadata": {
        "activity_template_id": "numeracy-1",
        "items_api_version": "v1.140.0",
        "max_time": 1500,
        "user_agent": "Browser/1.0",
        "grade": 4,
    },
    "grader": "none",
}


def full_records(number: int) -> list[dict]:
    """So many sessions, each with a session_id of its own."""
    return [json.loads(json.dumps(FULL)) | {"session_id": f"s-{n}"} for n in range(number)]
