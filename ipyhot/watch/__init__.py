"""From the disk to a batch of paths that may have changed. Events are hints; whoever gets the batch reads the bytes."""
