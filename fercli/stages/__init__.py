"""The code of each stage. A stage reads tables and writes tables and does not import other stages."""
