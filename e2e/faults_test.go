package e2e

import "flag"

// Which fault is held by which test. All of them look at what clients saw; those named TestFault… are in this folder. The names
// are those of Go, so that a search finds them.
//
//	killed at random under load           TestKill (make kill: fifty times)
//	killed before a write, after a commit TestFaultKilledAtFailpoints; TestTheProgramHasNoFailpoints
//	the answer to a commit is lost        TestFaultLostAcknowledgement; storage/postgres TestALostAnswerToACommitIsUnknown
//	a caller leaves in the middle         web TestARequestThatEndsMidWriteSpendsNothingTwice
//	PostgreSQL is away, and returns       web TestPostgreSQLGoesAwayAndReturns, TestPostgreSQLRestartsBetweenRequests
//	PostgreSQL restarts under load        TestFaultPostgreSQLRestartsUnderLoad (make faults: twenty times)
//	connections reset, closed, frozen     TestFaultConnectionsBreak; toxic TestDelayRefusalResetAndHalfClose
//	max_connections reached               TestFaultPoolExhausted; storage/postgres TestASlowPoolGivesUp
//	slow statements                       TestFaultSlowDatabase
//	a row that somebody holds locked      TestFaultALockedGrantIsItsOwnFault; web TestARowThatSomebodyLocksDelaysNobodyElse
//	SQLite's disk full                    TestFaultSQLiteDiskFull
//	SQLite locked by another process      TestFaultSQLiteLockedForLong; web TestAnotherProcessHoldsTheFileLocked
//	the store is closed                   web TestAClosedStoreIsAnOutage
//	clocks that step, nodes that differ   web TestAStepOfTheClockSendsNobodyAwayAndRevivesNothing, TestNodesWhoseClocksDifferAreOneSignet
//	two nodes                             TestTwoNodes; TestFaultPostgreSQLRestartsUnderLoad and TestFaultALockedGrantIsItsOwnFault run two
//	slow senders, slow readers            TestFaultSlowPeers
//	a flood of passwords                  TestFaultPasswordFlood; provider/account TestAFloodNeverHashesMoreThanTheWorkersAtOnce
//	a flood of refused requests           web TestAFloodOfRefusalsIsDroppedAndCounted
//	SIGTERM with requests in flight       drain_test.go
//
// Long forms are behind flags, and in make faults.
var restarts = flag.Int("restarts", 2, "how often PostgreSQL is restarted under load")
