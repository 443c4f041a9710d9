// SPDX-License-Identifier: Apache-2.0
// The fitted pipeline that `headrace fit` wrote: label to coordinate, and what the numbers are divided by.
package bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

final class Pipeline {
    static final int NUMBERS = 3;
    private static final int DEVICES = 4;

    final Map<String, Integer> pages;
    final Map<String, Integer> countries;
    final double[] scale = new double[NUMBERS];

    private Pipeline(JsonNode stages) {
        JsonNode labels = stages.get(0).get("fitted").get("labelsArray");
        pages = indexed(labels.get(0));
        countries = indexed(labels.get(1));
        for (int i = 0; i < NUMBERS; i++) {
            scale[i] = 1 / stages.get(3).get("fitted").get("std").get(i).asDouble();
        }
    }

    static Pipeline read(File file) throws IOException {
        return new Pipeline(new ObjectMapper().readTree(file).get("stages"));
    }

    private static Map<String, Integer> indexed(JsonNode labels) {
        Map<String, Integer> indexed = new HashMap<>();
        for (JsonNode label : labels) {
            indexed.put(label.asText(), indexed.size());
        }
        return indexed;
    }

    // One coordinate more for labels that were not in the sample, as handleInvalid: keep has it.
    int page(String label) {
        return pages.getOrDefault(label, pages.size());
    }

    int country(String label) {
        return pages.size() + 1 + countries.getOrDefault(label, countries.size());
    }

    int device(int device) {
        return pages.size() + countries.size() + 2 + device;
    }

    int numbers() {
        return pages.size() + countries.size() + 2 + DEVICES;
    }

    int intercept() {
        return numbers() + NUMBERS;
    }
}
