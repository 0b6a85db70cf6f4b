"""What the rooms hand on: the data of Remote Write, families and streams, requests, timestamps."""
