// Package uppertar writes what an overlayfs upper directory changed as the tar of an OCI layer: whiteouts become
// files named ".wh.NAME", opaque directories have a file ".wh..wh..opq", everything else is what it is.
//
// The directory may belong to a running container, whose processes are not trusted: no symbolic link is followed,
// so nothing outside of the directory is ever read, and no FIFO is waited for. What is said of a name is of one
// inode, whatever gets the name meanwhile; one that is gone by then is left out. A file that becomes shorter while
// it is read is an error; of one that grows, the length that it had is taken.
//
// The same directory gives the same bytes: names are in the order of their bytes, and there is no clock, no
// inode number and no user name of the host in the tar. Times are kept to the nanosecond, owners and xattrs as
// they are. Left out are sockets, which no tar holds, security labels of this host (SELinux, SMACK, IMA, EVM),
// overlayfs's own attributes, and the directory itself: a container's root has the attributes of its lower layers'
// root. A sparse file is written with its zeros.
package uppertar

import "errors"

// ErrUnsupported is of directories that say something which this package can't turn into a layer's tar without
// the lower directories: a renamed directory (redirect_dir), a file whose data is below (metacopy), marks of an
// overlayfs within an overlayfs. Another way to compare, which mounts both sides, may know.
var ErrUnsupported = errors.New("not an upper directory that can be read without its lower ones")
