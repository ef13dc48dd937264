package program

import "io/fs"

// Owner is whose a file is; a FileInfo of a container's files has it as Sys.
type Owner struct{ UID, GID int64 }

func ownerOf(info fs.FileInfo) Owner {
	o, _ := info.Sys().(Owner)
	return o
}
