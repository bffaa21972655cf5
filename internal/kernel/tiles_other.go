//go:build amd64 && !linux && !purego

package kernel

// permitTiles tells whether there are registers of AMX to use: it is not known how to ask other systems.
func permitTiles() bool { return false }
