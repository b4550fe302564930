"""The facts of an article other than its text: fields of records, dates, sidecar files."""
