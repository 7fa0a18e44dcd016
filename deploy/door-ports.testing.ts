/** Settings of the doors that the chart has Services for. Those that the service lacks are to come. */
export const doorPorts = ['MAKECHAT', 'CHATABLE', 'CHITCHAT', 'SFCHAT', 'CHATT', 'MQTT', 'MQTT_WS'].map(
  (door) => `${door}_PORT`,
);
