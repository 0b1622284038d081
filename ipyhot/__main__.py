"""``python -m ipyhot ./hots``: terminal IPython with the folder already hot; what follows the folder is for IPython."""

import os
import sys

from IPython.terminal.ipapp import launch_new_instance

if __name__ == "__main__":
    folder = sys.argv[1] if len(sys.argv) > 1 else "hots"
    if folder.startswith("-"):
        sys.exit("python -m ipyhot [folder] [arguments of IPython]: terminal IPython with the folder (./hots) already hot.")
    if not os.path.isdir(folder):
        sys.exit(f"{folder}: there is no such folder; name the one to watch: python -m ipyhot ./hots")
    launch_new_instance(argv=["--ext=ipyhot", f"--HotMagics.folder={folder}", *sys.argv[2:]])
