"""The pictures of the documents, made from the real thing: `make screenshots`."""
