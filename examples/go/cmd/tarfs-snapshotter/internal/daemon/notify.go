package daemon

import (
	"net"
	"os"
)

// notify tells the service manager of a state, if there is one that wants to know.
func notify(state string) {
	address := os.Getenv("NOTIFY_SOCKET")
	if address == "" {
		return
	}
	// In its name '@' stands for the zero byte of an abstract socket, as in Go.
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		return
	}
	defer c.Close()
	c.Write([]byte(state))
}
