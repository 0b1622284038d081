"""``python -m ipyhot ./hots``: terminal IPython with the folder already hot."""

import sys

from IPython.terminal.ipapp import launch_new_instance

if __name__ == "__main__":
    folder = sys.argv[1] if len(sys.argv) > 1 else "hots"
    launch_new_instance(argv=["--ext=ipyhot", f"--HotMagics.folder={folder}", *sys.argv[2:]])
