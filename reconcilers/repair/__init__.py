"""The repair ladder: rungs propose typed operations, a guard judges them, verification confirms, the record keeps."""
