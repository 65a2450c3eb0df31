"""What the Store can do, subject by subject: its verbs, and the records that they take and give. No SQL."""
