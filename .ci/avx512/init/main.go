// Init is the only program of an emulated machine: it runs the programs that the lines of /tests
// say, and stops the machine.
package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(0)
	console, err := open()
	if err != nil {
		log.Fatal(err)
	}
	result := "pass"
	if err := run(console); err != nil {
		result = err.Error()
	}
	fmt.Fprintln(console, "tests:", result)
	time.Sleep(time.Second)
	log.Fatal(syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF))
}

// open mounts what programs need and returns the serial line.
func open() (io.Writer, error) {
	for _, m := range [][2]string{{"proc", "/proc"}, {"devtmpfs", "/dev"}, {"sysfs", "/sys"}, {"tmpfs", "/tmp"}} {
		if err := os.MkdirAll(m[1], 0o755); err != nil {
			return nil, err
		}
		if err := syscall.Mount(m[0], m[1], m[0], 0, ""); err != nil {
			return nil, fmt.Errorf("%s: %w", m[1], err)
		}
	}
	return os.OpenFile("/dev/ttyS0", os.O_WRONLY, 0)
}

func run(console io.Writer) error {
	cpu, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return err
	}
	if !bytes.Contains(cpu, []byte("avx512f")) {
		return fmt.Errorf("this machine has no AVX-512 either")
	}
	lines, err := os.ReadFile("/tests")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(lines)) {
		words := strings.Fields(line)
		c := exec.Command(words[0], words[1:]...)
		c.Env = []string{"SWAPMC_KERNEL=avx512", "HOME=/tmp", "TMPDIR=/tmp"}
		c.Dir, c.Stdout, c.Stderr = "/", console, console
		if err := c.Run(); err != nil {
			return fmt.Errorf("%s: %w", words[0], err)
		}
	}
	return nil
}
