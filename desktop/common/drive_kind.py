"""The four kinds of drive that matter to a mapped file."""

from __future__ import annotations

from typing import Literal

DriveKind = Literal["local", "removable", "network", "unknown"]

_NETWORK = (
    "9p afpfs afs beegfs ceph cifs coda davfs davfs2 drvfs fuse.cephfs fuse.davfs2 fuse.glusterfs"
    " fuse.gvfsd-fuse fuse.rclone fuse.s3fs fuse.smbnetfs fuse.sshfs gfs2 glusterfs gpfs lustre"
    " ncpfs nfs nfs4 ocfs2 orangefs prl_fs smb smb2 smb3 smbfs vboxsf virtiofs vmhgfs webdav"
)
NETWORK_FILE_SYSTEMS = frozenset(_NETWORK.split())
"""Folders of another machine, or of the host of a virtual one."""
