package main

// faults are all there are, in the order of the table.
var faults = []fault{
	{"SIGKILL, broker inside", true, killed},
	{"SIGKILL, broker inside, on PostgreSQL", true, killedOnPostgres},
	{"SIGKILL, Mosquitto outside", true, killedOutside},
	{"SIGKILL of Mosquitto", true, brokerKilled},
	{"Mosquitto loses its file", true, brokerForgets},
	{"a member of a group that never returns", false, memberGone},
	{"a node killed and one stopped, behind HAProxy", false, balanced},
	{"a broker that does not know $share", true, sharesUnknown},
	{"polite stop, broker inside", true, stopped},
	{"network cut inside a packet", true, cut},
	{"mail and webhook refuse for ten minutes", true, peopleRefuse},
	{"clock steps by two hours, both ways", true, clockSteps},
	{"SIGKILL while a person works", true, acting},
	{"counters of devices begin anew", true, countersRestart},
	{"flipped bits", true, bitsFlip},
	{"a damaged page of each table", true, pagesDamaged},
	{"disk full", true, diskFull},
	{"disk lost, restored from a backup made meanwhile", false, backedUp},
	{"InfluxDB away for an hour", false, influxAway},
	{"InfluxDB refuses some points", false, influxRefuses},
}
