/** Two ends of one data channel over a real RTCPeerConnection on loopback, both in this page. */
export async function channelPair(): Promise<{
  readonly near: RTCDataChannel;
  readonly far: RTCDataChannel;
  close(): void;
}> {
  const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
  a.onicecandidate = ({ candidate }) => void b.addIceCandidate(candidate ?? undefined).catch(() => {});
  b.onicecandidate = ({ candidate }) => void a.addIceCandidate(candidate ?? undefined).catch(() => {});
  const near = a.createDataChannel("test", { negotiated: true, id: 1 });
  const far = b.createDataChannel("test", { negotiated: true, id: 1 });
  await a.setLocalDescription();
  await b.setRemoteDescription(a.localDescription!);
  await b.setLocalDescription();
  await a.setRemoteDescription(b.localDescription!);
  return {
    near,
    far,
    close() {
      a.close();
      b.close();
    },
  };
}
