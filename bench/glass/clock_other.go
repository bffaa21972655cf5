//go:build !linux

package main

import "time"

func clock() time.Duration { return time.Since(begun) }
