// franz-go as a program; the arguments are told in client-program.ts.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

var codecs = map[string]kgo.CompressionCodec{
	"none":   kgo.NoCompression(),
	"gzip":   kgo.GzipCompression(),
	"snappy": kgo.SnappyCompression(),
	"lz4":    kgo.Lz4Compression(),
	"zstd":   kgo.ZstdCompression(),
}

func main() {
	command, bootstrap, topic, rest := os.Args[1], os.Args[2], os.Args[3], os.Args[4:]
	switch command {
	case "create":
		create(bootstrap, topic)
	case "produce":
		produce(bootstrap, topic, codecs[rest[0]])
	case "consume":
		consume(bootstrap, topic, rest)
	}
}

func connect(options ...kgo.Opt) *kgo.Client {
	client, err := kgo.NewClient(options...)
	check(err)
	return client
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func create(bootstrap, topic string) {
	client := connect(kgo.SeedBrokers(bootstrap))
	defer client.Close()
	_, err := kadm.NewClient(client).CreateTopic(context.Background(), 3, 3, nil, topic)
	check(err)
}

func produce(bootstrap, topic string, codec kgo.CompressionCodec) {
	client := connect(kgo.SeedBrokers(bootstrap), kgo.ProducerBatchCompression(codec))
	defer client.Close()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), "\t")
		record := &kgo.Record{Topic: topic, Key: []byte(key), Value: []byte(value)}
		client.Produce(context.Background(), record, func(_ *kgo.Record, err error) { check(err) })
	}
	check(client.Flush(context.Background()))
}

func consume(bootstrap, topic string, start []string) {
	offset := kgo.NewOffset().AtStart()
	if start[0] == "timestamp" {
		millis, err := strconv.ParseInt(start[1], 10, 64)
		check(err)
		offset = kgo.NewOffset().AfterMilli(millis)
	}
	options := []kgo.Opt{kgo.SeedBrokers(bootstrap), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(offset)}
	grouped := start[0] == "group"
	if grouped {
		options = append(options, kgo.ConsumerGroup(start[1]), kgo.AutoCommitMarks())
	}
	client := connect(options...)
	stopped, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	for stopped.Err() == nil {
		client.PollFetches(stopped).EachRecord(func(record *kgo.Record) {
			fmt.Printf("%s\t%s\n", record.Key, record.Value)
			client.MarkCommitRecords(record)
		})
	}
	if grouped {
		check(client.CommitMarkedOffsets(context.Background()))
	}
	client.Close()
}
