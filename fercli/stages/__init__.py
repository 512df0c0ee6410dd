"""The code of each stage. Each reads tables and writes tables; none knows another, they meet on disk."""
