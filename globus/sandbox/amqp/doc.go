// Package amqp is a codec for AMQP 0-9-1, the protocol between a message broker
// and its clients: frames, the methods of every class that a broker without
// transactions needs, content headers with their properties, and field tables
// with the types of RabbitMQ's errata, which pika and amqp091-go use.
//
// A connection is a sequence of frames after a Preamble. ReadFrame and
// AppendFrame convert a frame, whose payload is, by its type, a method
// (ParseMethod, AppendMethod), the header of a message (ParseHeader,
// AppendHeader) or a piece of a message's body. A method that carries a message
// (BasicPublish, BasicReturn, BasicDeliver, BasicGetOk) is followed by one
// header frame and as many body frames as its size takes.
//
// One description of a method serves reading and writing, so that the two
// cannot differ. No input makes the package panic or allocate more than the
// input is long; what cannot be read or written is an error.
//
// The package never opens a connection, keeps no state and knows no queue:
// what a method means is the business of package broker.
package amqp
