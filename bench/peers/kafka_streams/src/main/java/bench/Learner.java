// SPDX-License-Identifier: Apache-2.0
// Scores each click, then learns from it: logistic regression by stochastic gradient descent, a model for each partition.
package bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

final class Learner implements Processor<byte[], byte[], byte[], byte[]> {
    static final String STORE = "model";
    private static final double RATE = 0.05;
    private static final VarHandle WEIGHT = MethodHandles.byteArrayViewVarHandle(double[].class, ByteOrder.LITTLE_ENDIAN);

    private final Pipeline pipeline;
    private final boolean withTime;
    private final JsonFactory json = new JsonFactory();
    private final ByteArrayOutputStream text = new ByteArrayOutputStream(256);
    private final double[] numbers = new double[Pipeline.NUMBERS];
    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<Integer, byte[]> store;
    private int partition;
    // The bytes that the store has: changed in place and put again, so that no record costs a copy of the model.
    private byte[] model;

    private String session;
    private String user;
    private int page;
    private int country;
    private int device;
    private int label;
    private long time;

    Learner(Pipeline pipeline, boolean withTime) {
        this.pipeline = pipeline;
        this.withTime = withTime;
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> given) {
        context = given;
        store = given.getStateStore(STORE);
        partition = given.taskId().partition();
        model = store.get(partition);
        if (model == null) {
            model = new byte[(pipeline.intercept() + 1) * Double.BYTES];
        }
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        try {
            parse(record.value());
            double probability = learn();
            store.put(partition, model);
            context.forward(record.withKey((byte[]) null).withValue(written(probability)));
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private void parse(byte[] value) throws IOException {
        try (JsonParser parser = json.createParser(value)) {
            parser.nextToken();
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String field = parser.currentName();
                parser.nextToken();
                switch (field) {
                    case "session_id" -> session = parser.getText();
                    case "user_id" -> user = parser.getText();
                    case "page" -> page = pipeline.page(parser.getText());
                    case "country" -> country = pipeline.country(parser.getText());
                    case "device" -> device = pipeline.device(parser.getIntValue());
                    case "clicks" -> numbers[0] = parser.getIntValue() * pipeline.scale[0];
                    case "dwell" -> numbers[1] = parser.getDoubleValue() * pipeline.scale[1];
                    case "price" -> numbers[2] = parser.getDoubleValue() * pipeline.scale[2];
                    case "label" -> label = parser.getIntValue();
                    case "ts" -> time = parser.getLongValue();
                    default -> { }
                }
            }
        }
    }

    private double weight(int index) {
        return (double) WEIGHT.get(model, index * Double.BYTES);
    }

    private void subtract(int index, double step) {
        WEIGHT.set(model, index * Double.BYTES, weight(index) - step);
    }

    private double learn() {
        int first = pipeline.numbers();
        int intercept = pipeline.intercept();
        double margin = weight(page) + weight(country) + weight(device) + weight(intercept);
        for (int i = 0; i < Pipeline.NUMBERS; i++) {
            margin += weight(first + i) * numbers[i];
        }
        double probability = 1 / (1 + Math.exp(-margin));
        double step = RATE * (probability - label);
        subtract(page, step);
        subtract(country, step);
        subtract(device, step);
        subtract(intercept, step);
        for (int i = 0; i < Pipeline.NUMBERS; i++) {
            subtract(first + i, step * numbers[i]);
        }
        return probability;
    }

    private byte[] written(double probability) throws IOException {
        text.reset();
        try (JsonGenerator out = json.createGenerator(text)) {
            out.writeStartObject();
            out.writeStringField("session_id", session);
            out.writeStringField("user_id", user);
            out.writeNumberField("label", label);
            out.writeArrayFieldStart("probability");
            out.writeNumber(1 - probability);
            out.writeNumber(probability);
            out.writeEndArray();
            out.writeNumberField("prediction", probability > 0.5 ? 1.0 : 0.0);
            if (withTime) {
                out.writeNumberField("ts", time);
            }
            out.writeEndObject();
        }
        return text.toByteArray();
    }
}
