import static org.codelibs.opensearch.runner.OpenSearchRunner.newConfigs;

import org.codelibs.opensearch.runner.OpenSearchRunner;

/** A node of OpenSearch with k-NN: FOLDER NAME HTTP_PORT TRANSPORT_PORT SEEDS. The end of its input is its end. */
public class OpenSearchNode {
    public static void main(String[] arguments) throws Exception {
        OpenSearchRunner runner = new OpenSearchRunner();
        runner.onBuild((number, settings) -> {
            settings.put("node.name", arguments[1]);
            settings.put("http.port", arguments[2]);
            settings.put("transport.port", arguments[3]);
            settings.put("network.host", "127.0.0.1");
            if (arguments[4].contains(",")) {
                settings.put("discovery.type", "zen");
                settings.putList("discovery.seed_hosts", arguments[4].split(","));
                settings.putList("cluster.initial_cluster_manager_nodes", "node-0");
            }
            settings.put("cluster.routing.allocation.disk.threshold_enabled", "false");
        });
        // Not two nodes in one process: the k-NN plugin keeps its state in static fields.
        runner.build(newConfigs().clusterName("tests").basePath(arguments[0]).numOfNode(1).useLogger()
            .pluginTypes("org.opensearch.knn.plugin.KNNPlugin"));
        while (System.in.read() >= 0) {
        }
        System.exit(0);
    }
}
