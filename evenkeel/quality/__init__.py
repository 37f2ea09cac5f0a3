"""What makes rows and batches good enough to answer: schema, suite, imputation."""
