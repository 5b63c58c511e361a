import static org.codelibs.opensearch.runner.OpenSearchRunner.newConfigs;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import org.codelibs.opensearch.runner.OpenSearchRunner;

/** OpenSearch with k-NN: FOLDER NODES PORT. Says READY; `stop N` on its input closes node N, the end of it all. */
public class OpenSearchNodes {
    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(arguments[2]);
        OpenSearchRunner runner = new OpenSearchRunner();
        runner.onBuild((number, settings) -> {
            settings.put("http.port", String.valueOf(port + number - 1));
            settings.put("network.host", "127.0.0.1");
            settings.put("cluster.routing.allocation.disk.threshold_enabled", "false");
        });
        runner.build(newConfigs().clusterName("tests").basePath(arguments[0])
            .numOfNode(Integer.parseInt(arguments[1])).useLogger().pluginTypes("org.opensearch.knn.plugin.KNNPlugin"));
        System.out.println("READY");
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            if (line.startsWith("stop ")) {
                runner.getNode(Integer.parseInt(line.substring(5).trim())).close();
                System.out.println("STOPPED");
            }
        }
        System.exit(0);
    }
}
