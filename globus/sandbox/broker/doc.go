// Package broker is an AMQP 0-9-1 message broker in the process, for tests and
// demos: what pika, the Globus Compute SDK and amqp091-go need of one, with the
// answers that RabbitMQ gives. Clients reach it through Serve; the program that
// holds it declares queues, publishes and subscribes by method calls, admits
// users, and orders faults, which is what it is there for.
//
// It has direct, topic and fanout exchanges, queues (exclusive and deleting
// themselves too), consumers that take turns, prefetch, acknowledgements,
// publisher confirms, returned messages and heartbeats. It has one virtual host,
// "/", and no transactions, no bindings between exchanges, no priorities, no
// time to live and no clustering: what it does not have it refuses in the words
// of RabbitMQ. A message that was confirmed is kept until somebody acknowledges
// it.
//
// What it does is written down in testdata/contract.txtar: stories of clients,
// which amqp091-go and pika run against this broker and against a real RabbitMQ,
// and which have to come out the same.
//
// It never keeps anything on disk, never opens a listener of its own, has no
// TLS, and is no broker to rely on: queues are bounded by memory only.
package broker
