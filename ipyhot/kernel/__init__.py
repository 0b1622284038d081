"""What a person in IPython or Jupyter sees and types: ``hot``, the magics, the panel, and the names that cells imported."""
