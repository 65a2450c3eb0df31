"""The verbs of the Store over SQL, subject by subject, as both databases have them."""
