# SPDX-License-Identifier: Apache-2.0
"""A real file system of a test's own: ext4 in a file, mounted by a loop device. Its power can be cut under running writers."""
import contextlib
import fcntl
import os
import struct
import subprocess
import sys
import time

SKIPPED = 77  # ctest: SKIP_RETURN_CODE
EXT4_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2  # what was not synced is gone, as if the plug had been pulled


class Disk:
    def __init__(self, image, folder, megabytes, block=4096):
        self.image, self.folder = image, folder
        folder.mkdir(exist_ok=True)
        with open(image, "wb") as file:
            file.truncate(megabytes << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", "-b", str(block), image], check=True, capture_output=True)
        self.mount()

    def mount(self):
        subprocess.run(["mount", "-o", "loop", self.image, self.folder], check=True, capture_output=True)

    def unmount(self, seconds=20):
        """Fails if somebody keeps a file of it open."""
        end = time.monotonic() + seconds
        while (done := subprocess.run(["umount", self.folder], capture_output=True, text=True)).returncode != 0:
            if time.monotonic() > end:
                raise AssertionError(f"it cannot be unmounted: {done.stderr}")
            time.sleep(0.05)

    def cut(self):
        """From here on every write and sync fails; what was not synced will not be there after the next mount."""
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(folder)

    def fill(self, name="filler"):
        """To the last byte. True: there was something to fill."""
        filled = False
        with open(self.folder / name, "ab", buffering=0) as file:
            for size in 1 << 16, 1 << 10, 1:
                with contextlib.suppress(OSError):
                    while True:
                        filled = file.write(b"\xff" * size) > 0 or filled
        return filled

    def free(self, name="filler"):
        (self.folder / name).unlink()

    def available(self):
        volume = os.statvfs(self.folder)
        return volume.f_bavail * volume.f_frsize

    def close(self):
        subprocess.run(["umount", "-l", self.folder], capture_output=True)


def works(folder):
    try:
        disk = Disk(folder / "try.img", folder / "try", 4)
    except (OSError, subprocess.CalledProcessError):
        return False
    try:
        disk.cut()
    except OSError:
        return False
    finally:
        disk.close()
    return True


def need_root(tests, folder):
    """Starts this program again as root if it can; ends it as skipped, and says so, where there are no mounts of one's own."""
    if os.getuid() != 0 and "GERBANG_ROOT_TRIED" not in os.environ:
        if subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0 if _has("sudo") else False:
            os.execvp("sudo", ["sudo", "-n", "--preserve-env", "env", "GERBANG_ROOT_TRIED=1", sys.executable, *sys.argv])
    if os.getuid() != 0 or not works(folder):
        print(f"NOT RUN {tests}: needs root and loop mounts")
        sys.exit(SKIPPED)


def _has(program):
    return any(os.access(os.path.join(p, program), os.X_OK) for p in os.environ["PATH"].split(":"))
