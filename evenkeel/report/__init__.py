"""What a person looks at: the report page."""
