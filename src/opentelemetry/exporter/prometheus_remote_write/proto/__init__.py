"""The messages of Remote Write, and what protoc generates of them; encoding and the receiver share them."""
