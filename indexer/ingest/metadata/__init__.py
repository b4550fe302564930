"""What is known of an article beside its text: fields, dates and sidecar files."""
