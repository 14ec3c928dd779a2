import { metadata } from "../../../src/protocol/apis/03-metadata.ts";
import { apiVersions } from "../../../src/protocol/apis/18-api-versions.ts";
import { deleteRecords } from "../../../src/protocol/apis/21-delete-records.ts";
import { describeLogDirs } from "../../../src/protocol/apis/35-describe-log-dirs.ts";
import { electLeaders } from "../../../src/protocol/apis/43-elect-leaders.ts";
import { alterPartitionReassignments } from "../../../src/protocol/apis/45-alter-partition-reassignments.ts";
import { listPartitionReassignments } from "../../../src/protocol/apis/46-list-partition-reassignments.ts";
import { describeCluster } from "../../../src/protocol/apis/60-describe-cluster.ts";
import { decodeResponse, encodeRequest } from "../../../src/protocol/envelope.ts";
import { produce } from "../../../src/protocol/apis/00-produce.ts";
import type { ProduceResponse } from "../../../src/protocol/apis/00-produce.ts";
import { encodeBatch } from "../../../src/protocol/record-batch.ts";
import type { Conversation } from "./speaker.ts";
import { makeTopic } from "./topic-conversations.ts";

const software = { clientSoftwareName: "tabstream-test", clientSoftwareVersion: "1.0" };

const apiVersionsTalk: Conversation = {
  api: apiVersions,
  async talk(speaker) {
    const { version } = speaker;
    const { errorCode } = await speaker.arrange(apiVersions, software);
    speaker.note("the error code", errorCode);
    if (version >= 3) {
      for (const name of ["", "no spaces", "-dash", "dot.", "a"]) {
        const answer = await speaker.arrange(apiVersions, { ...software, clientSoftwareName: name });
        speaker.note(`software named "${name}"`, answer.errorCode);
      }
    }
    const header = { correlationId: 5, clientId: null };
    const raw = (patch: (request: Uint8Array) => void, written = version) => {
      const request = encodeRequest(apiVersions, written, header, software);
      patch(request);
      return request;
    };
    const v0 = (answer: Uint8Array) => decodeResponse(apiVersions, 0, answer);
    // Whoever speaks such a version writes a header with tags.
    const future = raw((request) => void (request[3] = 99), apiVersions.versions[1]);
    await speaker.askRaw("in a version of the far future", future, v0);
    await speaker.askRaw("an api that does not exist", raw((request) => void (request[1] = 250)), v0);
    await speaker.askRaw("a negative api", raw((request) => request.fill(0xff, 0, 2)), v0);
    await speaker.askRaw("metadata of the far future", raw((request) => request.set([0, metadata.key, 0, 99])), v0);
    await speaker.askRaw("three bytes", new Uint8Array([0, 18, 0]), v0);
    await speaker.askRaw("nothing", new Uint8Array(), v0);
  },
};

const describeClusterTalk: Conversation = {
  api: describeCluster,
  async talk(speaker) {
    await speaker.ask("as it is", describeCluster, {});
    await speaker.ask("with operations", describeCluster, { includeClusterAuthorizedOperations: true });
    if (speaker.version < 1) return;
    await speaker.ask("its controllers", describeCluster, { endpointType: 2 });
    await speaker.ask("an unknown kind of endpoint", describeCluster, { endpointType: 9 });
  },
};

const deleteRecordsTalk: Conversation = {
  api: deleteRecords,
  async talk(speaker) {
    const { name } = speaker;
    await makeTopic(speaker, name);
    const record = { offset: 0, timestamp: 1, key: null, value: new Uint8Array(9), headers: [] };
    const batch = () => encodeBatch(Array.from({ length: 5 }, (_, offset) => ({ ...record, offset })));
    const topicData = [{ name, partitionData: [{ index: 0, records: batch() }] }];
    // A new partition's leader may not know of it yet.
    const isStored = ({ responses }: ProduceResponse) => responses[0]?.partitionResponses[0]?.errorCode === 0;
    await speaker.arrange(produce, { acks: -1, timeoutMs: 5_000, topicData }, isStored);
    const ask = (label: string, offset: number, partitionIndex = 0, topic = name) =>
      speaker.ask(label, deleteRecords, {
        topics: [{ name: topic, partitions: [{ partitionIndex, offset }] }],
        timeoutMs: 5_000,
      });
    await ask("before an offset", 2);
    await ask("before an earlier offset", 1);
    await ask("before the end", -1);
    await ask("beyond the end", 99);
    await ask("before a negative offset", -5);
    await ask("of an unknown partition", 0, 9);
    await ask("of an unknown topic", 0, 0, `${name}-unknown`);
  },
};

const describeLogDirsTalk: Conversation = {
  api: describeLogDirs,
  async talk(speaker) {
    const { name } = speaker;
    await makeTopic(speaker, name);
    const exists = (answer: { readonly results: readonly { readonly topics: readonly unknown[] }[] }) =>
      answer.results.some(({ topics }) => topics.length > 0);
    await speaker.arrange(describeLogDirs, { topics: [{ topic: name, partitions: [0] }] }, exists);
    const ask = async (label: string, topic: string, partition: number) => {
      const topics = [{ topic, partitions: [partition] }];
      const { errorCode, results } = await speaker.arrange(describeLogDirs, { topics });
      const dirs = results.map((dir) => ({ errorCode: dir.errorCode, topics: dir.topics }));
      speaker.note(label, { errorCode, dirs });
    };
    await ask("of a topic", name, 0);
    await ask("of an unknown partition", name, 9);
    await ask("of an unknown topic", `${name}-unknown`, 0);
  },
};

const electLeadersTalk: Conversation = {
  api: electLeaders,
  async talk(speaker) {
    const { name, version } = speaker;
    await makeTopic(speaker, name);
    const ask = (label: string, topic: string, partition: number, electionType = 0) =>
      speaker.ask(label, electLeaders, { electionType, topicPartitions: [{ topic, partitions: [partition] }] });
    await ask("where it leads", name, 0);
    await ask("of an unknown partition", name, 9);
    await ask("of an unknown topic", `${name}-unknown`, 0);
    if (version >= 1) await ask("unclean", name, 0, 1);
  },
};

const reassignTalk: Conversation = {
  api: alterPartitionReassignments,
  async talk(speaker) {
    const { name } = speaker;
    await makeTopic(speaker, name);
    const ask = (label: string, topic: string, partitionIndex: number, replicas: number[] | null) =>
      speaker.ask(label, alterPartitionReassignments, {
        topics: [{ name: topic, partitions: [{ partitionIndex, replicas }] }],
      });
    await ask("to where it is", name, 0, [1]);
    await ask("to nobody", name, 0, []);
    await ask("to an unknown broker", name, 0, [77]);
    await ask("twice to one broker", name, 0, [1, 1]);
    await ask("cancelled where there is none", name, 0, null);
    await ask("of an unknown partition", name, 9, [1]);
    await ask("of an unknown topic", `${name}-unknown`, 0, [1]);
  },
};

const listReassignmentsTalk: Conversation = {
  api: listPartitionReassignments,
  async talk(speaker) {
    const { name } = speaker;
    await makeTopic(speaker, name);
    await speaker.ask("all", listPartitionReassignments, { topics: null });
    const ask = (label: string, topic: string, partition: number) =>
      speaker.ask(label, listPartitionReassignments, { topics: [{ name: topic, partitionIndexes: [partition] }] });
    await ask("of a topic", name, 0);
    await ask("of an unknown partition", name, 9);
    await ask("of an unknown topic", `${name}-unknown`, 0);
  },
};

export const clusterConversations: readonly Conversation[] = [
  apiVersionsTalk,
  describeClusterTalk,
  deleteRecordsTalk,
  describeLogDirsTalk,
  electLeadersTalk,
  reassignTalk,
  listReassignmentsTalk,
];
