package e2e

import "flag"

// The long forms of these tests are in make faults.
var restarts = flag.Int("restarts", 2, "how often PostgreSQL is restarted under load")
