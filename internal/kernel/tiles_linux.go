//go:build amd64 && !purego

package kernel

import "golang.org/x/sys/unix"

// permitTiles asks the system for the registers of AMX, which it gives to a process on request only.
func permitTiles() bool {
	const (
		request  = 0x1023 // ARCH_REQ_XCOMP_PERM
		tileData = 18
	)
	_, _, err := unix.RawSyscall(unix.SYS_ARCH_PRCTL, request, tileData, 0)
	return err == 0
}
